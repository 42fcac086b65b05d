// Pages work without this script, too.
"use strict";

// A button can be pressed once, and again if the page load was stopped.
for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    setTimeout(() => (button.disabled = true)); // After the form is submitted.
    setTimeout(() => (button.disabled = false), 10_000);
  });
}
addEventListener("pageshow", (event) => event.persisted && location.reload());

// Waits count down by the wall clock, which continues while the machine sleeps. At the
// end, the notice disappears and the button is enabled.
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

// Select refused input, so that it can be typed over. Focus first: select does not scroll.
const refused = document.querySelector("[aria-invalid]");
refused?.focus();
refused?.select();
