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

/* Each line of code is an element of its own, so that its rest hangs below its beginning if it is too long. */
document.addEventListener("DOMContentLoaded", () => {
  for (const pre of document.querySelectorAll("div.highlight pre")) {
    const lines = [document.createElement("span")];
    for (const node of pre.childNodes) {
      node.textContent.split(/(?<=\n)/).forEach((text) => {
        const part = node.cloneNode(false);
        part.textContent = text;
        lines.at(-1).append(part);
        if (text.endsWith("\n")) lines.push(document.createElement("span"));
      });
    }
    for (const line of lines) {
      line.className = "line";
      const indent = line.textContent.match(/^[ \u2500-\u257f]*/)[0].length;
      line.style.setProperty("--hang", `${indent + 2}ch`);
    }
    pre.replaceChildren(...lines.filter((line) => line.textContent));
  }
});

/* Words of code are marked, so that no line ends inside of a name, after a hyphen of an option, or between - and >.
   Long ones, such as the names of tests, may break after a separator. */
document.addEventListener("DOMContentLoaded", () => {
  const longest = 30;
  const mark = (text) => {
    const word = document.createElement("span");
    word.className = "option";
    word.textContent = text;
    return word;
  };
  const separated = (text) => text.split(/(?<=[/_.:?&])(?=[^/_.:?&])/).flatMap((part) => [part, document.createElement("wbr")]);
  for (const token of document.querySelectorAll("div.highlight .line > span")) {
    if (token.textContent.length <= longest && !/\s/.test(token.textContent)) token.classList.add("option");
  }
  const shells = ".highlight-console pre, .highlight-bash pre, .highlight-text pre, .highlight-wire pre, code.literal";
  for (const block of document.querySelectorAll(`${shells}, article :is(h1, h2, h3)`)) {
    const separate = block.matches("h1, h2, h3") ? 18 : 38;
    const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    for (const text of texts) {
      const words = text.data.split(/(\S+)/);
      const shown = words.flatMap((word) => {
        if (word.length > separate) return separated(word);
        return word.includes("-") && word.length <= longest ? [mark(word)] : [word];
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
        if (index > 1 && headings[index] && cell.textContent.trim()) cell.dataset.label = headings[index];
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
