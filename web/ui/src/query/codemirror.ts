// The editor chunk, loaded after the first paint: CodeMirror with SQL or PromQL, completion and syntax errors.
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  completionStatus,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { PostgreSQL, sql } from "@codemirror/lang-sql";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { Compartment, EditorState, type Extension, Prec } from "@codemirror/state";
import { EditorView, highlightSpecialChars, keymap, lineNumbers, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { PromQLExtension } from "@prometheus-io/codemirror-promql";
import { completionClient } from "./completion";
import type { EditorProps } from "./Editor";

export interface EditorHandle {
  setText: (text: string) => void;
  /** Takes over the language and the completion sources of the moment. */
  setLanguage: () => void;
  insert: (text: string) => void;
  destroy: () => void;
}

const colors = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "var(--code-keyword)", fontWeight: "600" },
  { tag: tags.string, color: "var(--code-string)" },
  { tag: tags.special(tags.string), color: "var(--code-label)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: [tags.function(tags.variableName), tags.standard(tags.name), tags.typeName], color: "var(--code-function)" },
  { tag: [tags.labelName, tags.propertyName], color: "var(--code-label)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--muted)", fontStyle: "italic" },
  { tag: tags.invalid, color: "var(--hot)" },
]);

const look = EditorView.theme({
  "&": { fontSize: "13px", backgroundColor: "var(--surface)", color: "var(--text)", borderRadius: "6px" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5", maxHeight: "38vh", minHeight: "86px" },
  ".cm-content": { padding: "8px 0", caretColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--muted)", border: "none", opacity: "0.7" },
  "&.cm-focused .cm-cursor": { borderLeftColor: "var(--text)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--accent-soft)" },
  ".cm-matchingBracket": { backgroundColor: "var(--accent-soft)", outline: "1px solid var(--accent)" },
  ".cm-tooltip": {
    border: "1px solid var(--line)",
    borderRadius: "6px",
    background: "var(--surface)",
    boxShadow: "var(--shadow)",
  },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--accent-soft)", color: "var(--text)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "12px", maxHeight: "16em" },
});

function language(props: EditorProps): Extension {
  if (props.mode !== "promql") return sql({ dialect: PostgreSQL, schema: props.tables, upperCaseKeywords: true });
  const promql = new PromQLExtension().setComplete({ remote: completionClient(props.metrics) });
  return promql.asExtension();
}

function keys(latest: () => EditorProps): Extension {
  return Prec.highest(
    keymap.of([
      {
        key: "Mod-Enter",
        run: () => {
          latest().onRun();
          return true;
        },
      },
      {
        key: "Escape",
        run: (view) => {
          // An open completion list takes Escape first; Tab leaves the editor at any time.
          if (completionStatus(view.state) === "active") return false;
          latest().onCancel();
          return true;
        },
      },
    ]),
  );
}

export function createEditor(parent: HTMLElement, latest: () => EditorProps): EditorHandle {
  const spoken = new Compartment();
  const state = EditorState.create({
    doc: latest().text,
    extensions: [
      keys(latest),
      lineNumbers(),
      highlightSpecialChars(),
      history(),
      bracketMatching(),
      closeBrackets(),
      autocompletion(),
      keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap]),
      syntaxHighlighting(colors),
      look,
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": "Query" }),
      placeholder("Ctrl+Enter runs the query"),
      spoken.of(language(latest())),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) latest().onText(update.state.doc.toString());
      }),
    ],
  });
  const view = new EditorView({ state, parent });
  return {
    setText: (text) => {
      const current = view.state.doc.toString();
      if (text !== current) view.dispatch({ changes: { from: 0, to: current.length, insert: text } });
    },
    setLanguage: () => view.dispatch({ effects: spoken.reconfigure(language(latest())) }),
    insert: (text) => {
      view.dispatch(view.state.replaceSelection(text));
      view.focus();
    },
    destroy: () => view.destroy(),
  };
}
