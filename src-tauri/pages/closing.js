// Answers the shell: it reads these addresses, and no window opens them.
function answer(name) {
  location.href = `showdesk:${name}`;
}

for (const button of document.querySelectorAll("[data-answer]")) {
  button.addEventListener("click", () => answer(button.dataset.answer));
}
addEventListener("keydown", (event) => {
  if (event.key === "Escape") answer("cancel");
});
