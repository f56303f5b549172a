// Shows the words that the shell has put into this window.
for (const place of document.querySelectorAll("[data-word]")) {
  place.textContent = window.__WORDS__?.[place.dataset.word] ?? "";
}
