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
