/* A button on every block of code that copies it: of a shell session only the commands, without the prompts.
   Blocks of plain text show what a program prints or sends. */
document.addEventListener("DOMContentLoaded", () => {
  if (!navigator.clipboard) return; // Pages served without TLS may not copy.
  const textOf = (block) => {
    const text = block.querySelector("pre").textContent.trimEnd();
    const commands = text.split("\n").filter((line) => line.startsWith("$ "));
    return commands.length ? commands.map((line) => line.slice(2)).join("\n") : text;
  };
  const isOutput = (block) => block.closest(".highlight-text, .highlight-wire");
  for (const block of document.querySelectorAll("div.highlight")) {
    if (isOutput(block)) continue;
    const button = document.createElement("button");
    const say = (text) => (button.textContent = text);
    button.type = "button";
    button.className = "copy";
    button.setAttribute("aria-label", "Copy this code");
    say("Copy");
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(textOf(block)).then(() => say("Copied"), () => say("Not allowed"));
      setTimeout(say, 1500, "Copy");
    });
    block.append(button);
  }
});

/* Options of the command are marked, so that no line ends after one of their hyphens. */
document.addEventListener("DOMContentLoaded", () => {
  const shells = ".highlight-console pre, .highlight-bash pre, .highlight-text pre, code.literal";
  for (const block of document.querySelectorAll(shells)) {
    const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    for (const text of texts) {
      const parts = text.data.split(/(--[a-z][a-z-]*)/);
      const shown = parts.map((part, index) => {
        if (index % 2 === 0) return part;
        const option = document.createElement("span");
        option.className = "option";
        option.textContent = part;
        return option;
      });
      text.replaceWith(...shown);
    }
  }
});

/* A table that does not fit is shown as a block for each row, with the heading of the column before each cell. */
document.addEventListener("DOMContentLoaded", () => {
  const tables = [...document.querySelectorAll("article table.docutils")];
  for (const table of tables) {
    const headings = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent.trim());
    for (const row of table.querySelectorAll("tbody tr")) {
      [...row.cells].forEach((cell, index) => {
        if (index > 1 && headings[index]) cell.dataset.label = headings[index];
      });
    }
  }
  const fit = () => {
    for (const table of tables) table.classList.remove("stacked");
    const wide = tables.filter(({ parentElement: box }) => box.scrollWidth > box.clientWidth + 1);
    for (const table of wide) table.classList.add("stacked");
  };
  fit();
  document.fonts.ready.then(fit);
  window.addEventListener("resize", fit);
});
