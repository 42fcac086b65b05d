// What a page does by itself. Each works without it, too.
"use strict";

// A form is sent once. The button is enabled again if the page comes back.
for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "true";
    const button = form.querySelector("button");
    button.setAttribute("aria-busy", "true");
    setTimeout(() => (button.disabled = true)); // When the form is on its way.
  });
}
addEventListener("pageshow", (event) => event.persisted && location.reload());

// Times are in the reader's own zone.
for (const time of document.querySelectorAll("time")) {
  time.textContent = new Date(time.dateTime).toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
}

// Waits count down. A notice then disappears, and the button can be pressed.
for (const element of document.querySelectorAll("[data-wait]")) {
  const time = element.querySelector("span") ?? element;
  const end = performance.now() + element.dataset.wait * 1000;
  const timer = setInterval(() => {
    const seconds = Math.ceil((end - performance.now()) / 1000);
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
