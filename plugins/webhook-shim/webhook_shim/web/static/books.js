// What the page does better with a script: live progress without a reload, one tick for all. It works without.
"use strict";

document.querySelector(".tabs-in [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

for (const box of document.querySelectorAll("[data-tick-all]")) {
  const boxes = () => document.querySelectorAll(`input[name="${box.dataset.tickAll}"]`);
  box.closest("[hidden]")?.removeAttribute("hidden");
  box.addEventListener("change", () => boxes().forEach((one) => { one.checked = box.checked; }));
  document.addEventListener("change", (event) => {
    if (event.target.name === box.dataset.tickAll) {
      const all = [...boxes()];
      box.checked = all.every((one) => one.checked);
      box.indeterminate = !box.checked && all.some((one) => one.checked);
    }
  });
}

for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    // Disabled after the browser has read which button it was.
    setTimeout(() => { if (event.submitter) event.submitter.disabled = true; }, 0);
  });
}
addEventListener("pageshow", () => {
  document.querySelectorAll("button[disabled]").forEach((button) => { button.disabled = false; });
});

const live = document.querySelector("[data-progress]");
if (live) {
  const show = (name, text) => {
    const place = live.querySelector(`[data-show="${name}"]`);
    if (place && place.textContent !== text) place.textContent = text;
  };
  const number = new Intl.NumberFormat("en-US");
  const look = async () => {
    try {
      const answer = await fetch(live.dataset.progress, { headers: { accept: "application/json" } });
      if (answer.status === 401 || answer.status === 404) return location.reload();
      if (answer.ok) {
        const found = await answer.json();
        if (!found.live || found.status !== live.dataset.status) return location.reload();
        show("written", number.format(found.written));
        show("failed", number.format(found.failed));
        show("for", found.for);
        const log = document.querySelector("[data-show=log]");
        if (log && log.textContent !== found.log) {
          const below = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
          log.textContent = found.log;
          if (below) log.scrollTop = log.scrollHeight;
        }
      }
    } catch { /* the server is being started again: keep asking */ }
    setTimeout(look, document.hidden ? 10000 : 2000);
  };
  setTimeout(look, 1000);
}
