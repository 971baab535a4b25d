// Markdown and HTML of boards, cleaned: a board comes from somebody else.
import DOMPurify from "dompurify";
import { marked } from "marked";
import { useMemo } from "preact/hooks";
import type { PanelOf } from "../model";

function clean(mode: "markdown" | "html", content: string): string {
  const html = mode === "html" ? content : marked.parse(content, { async: false, gfm: true });
  const fragment = DOMPurify.sanitize(html, { RETURN_DOM_FRAGMENT: true, FORBID_TAGS: ["style", "form", "input"] });
  for (const link of fragment.querySelectorAll("a[href]")) {
    link.setAttribute("target", "_blank");
    link.setAttribute("rel", "noopener noreferrer");
  }
  const host = document.createElement("div");
  host.append(fragment);
  return host.innerHTML;
}

export function TextPanel({ panel, content }: { panel: PanelOf<"text">; content: string }) {
  const { mode } = panel.options;
  const html = useMemo(() => (mode === "code" ? "" : clean(mode, content)), [mode, content]);
  if (mode === "code") return <pre class="board-text"><code>{content}</code></pre>;
  // oxlint-disable-next-line react/no-danger -- `clean` has been over it.
  return <div class="board-text" dangerouslySetInnerHTML={{ __html: html }} />;
}
