// Shows the words that the shell has put into this window.
for (const [id, text] of Object.entries(window.__REFUSAL__ ?? {})) {
  document.getElementById(id).textContent = text;
}
