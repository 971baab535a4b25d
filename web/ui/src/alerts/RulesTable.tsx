// The rules that the server evaluates, with their health; a rule that fails says why in its own row.
import { useState } from "preact/hooks";
import { ruleGroups, type Rule, type RuleGroup } from "../lib/api";
import { ErrorLine } from "../lib/ErrorLine";
import { formatAge, formatDuration } from "../lib/format";
import { messageOf, usePolling } from "../lib/useTask";

const POLL_MS = 5_000;

const HEALTH_WORD = { ok: "ok", err: "failing", unknown: "not run yet" } as const;

/** Prometheus writes Go's zero time for a rule that was never evaluated. */
function evaluated(rule: Rule): string {
  if (!rule.lastEvaluation || rule.lastEvaluation.startsWith("0001-")) return "never";
  return formatAge(rule.lastEvaluation);
}

function RuleRow({ rule }: { rule: Rule }) {
  const state = rule.type === "recording" ? "recording" : (rule.state ?? "inactive");
  return (
    <tr>
      <th scope="row">{rule.name}</th>
      <td>
        <span class={`state state-${state === "recording" ? "inactive" : state}`}>{state}</span>
      </td>
      <td>
        <span class={`state state-${rule.health}`}>{HEALTH_WORD[rule.health]}</span>
      </td>
      <td class="rule-query">
        <code title={rule.query}>{rule.query}</code>
        {rule.lastError && <span class="rule-error">{rule.lastError}</span>}
      </td>
      <td class="num">{rule.duration ? formatDuration(rule.duration) : "–"}</td>
      <td class="num">{evaluated(rule)}</td>
      <td class="num">{rule.evaluationTime === undefined ? "–" : formatDuration(rule.evaluationTime)}</td>
    </tr>
  );
}

function Group({ group }: { group: RuleGroup }) {
  return (
    <tbody>
      <tr class="rule-group">
        <th scope="rowgroup" colSpan={7}>
          {group.name}{" "}
          <span class="muted">
            {group.file}, every {formatDuration(group.interval)}
          </span>
        </th>
      </tr>
      {group.rules.map((rule, index) => (
        <RuleRow key={index} rule={rule} />
      ))}
    </tbody>
  );
}

export function RulesTable() {
  const [groups, setGroups] = useState<RuleGroup[]>();
  const [error, setError] = useState<string>();
  usePolling(async (abort) => {
    try {
      setGroups(await ruleGroups(abort));
      setError(undefined);
    } catch (cause) {
      if (!abort.aborted) setError(messageOf(cause));
    }
  }, POLL_MS);
  return (
    <section class="rules" aria-labelledby="rules-title">
      <h2 id="rules-title">Rules</h2>
      {error && <ErrorLine message={error} />}
      {groups?.length === 0 && (
        <p class="muted">
          No rule file is loaded; <code>culprit serve --help</code> says how to name one.
        </p>
      )}
      {groups && groups.length > 0 && (
        <div class="card rules-card">
          <table>
            <thead>
              <tr>
                {["Rule", "State", "Health", "Expression"].map((title) => (
                  <th key={title} scope="col">
                    {title}
                  </th>
                ))}
                {["For", "Evaluated", "Took"].map((title) => (
                  <th key={title} scope="col" class="num">
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            {groups.map((group) => (
              <Group key={`${group.file}/${group.name}`} group={group} />
            ))}
          </table>
        </div>
      )}
    </section>
  );
}
