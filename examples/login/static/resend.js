// Counts the time down until another code can be asked for.
"use strict";
const button = document.getElementById("resend");
const rest = button?.querySelector("span");
if (rest) {
  const end = performance.now() + button.dataset.wait * 1000;
  const show = () => {
    const seconds = Math.ceil((end - performance.now()) / 1000);
    if (seconds > 0) {
      rest.textContent = `in ${seconds} s`;
      return;
    }
    clearInterval(timer);
    rest.remove();
    button.disabled = false;
    document.getElementById("resend-ready").textContent = "You can ask for a new code now.";
  };
  const timer = setInterval(show, 250);
}
