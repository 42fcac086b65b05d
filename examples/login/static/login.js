// Pages work without this script, too.
"use strict";

// A button is pressed once, and again if the browser was told to stop.
for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    setTimeout(() => (button.disabled = true)); // When the form is on its way.
    setTimeout(() => (button.disabled = false), 10_000);
  });
}
addEventListener("pageshow", (event) => event.persisted && location.reload());

// Waits count down by the wall clock, which goes on while the machine sleeps. A
// notice then disappears, and the button can be pressed.
for (const element of document.querySelectorAll("[data-wait]")) {
  const time = element.querySelector("span") ?? element;
  const end = Date.now() + element.dataset.wait * 1000;
  const timer = setInterval(() => {
    const seconds = Math.ceil((end - Date.now()) / 1000);
    if (seconds > 0) {
      element.setAttribute("aria-live", "off"); // It has been read out once.
      if (seconds <= 90) time.textContent = time.textContent.replace(/\d+ [a-z]+/, `${seconds} second${seconds === 1 ? "" : "s"}`);
      return;
    }
    clearInterval(timer);
    if (element === time) return element.remove();
    time.remove();
    element.disabled = false;
    document.getElementById("resend-ready").textContent = "You can request a new code now.";
  }, 250);
}

// What was refused can be typed over. To select it would not scroll to it.
const refused = document.querySelector("[aria-invalid]");
refused?.focus();
refused?.select();
