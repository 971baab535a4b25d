// Who uses how much of what is allowed: projects against their quotas, their shards, and how far the readers are.
import { useState } from "preact/hooks";
import { ErrorLine } from "../lib/ErrorLine";
import { formatShare } from "../lib/format";
import { messageOf, usePolling } from "../lib/useTask";
import { parameters, setParameters } from "../router";
import { consumerGroups, type Usage, usage } from "./api";
import { Meter } from "./Meter";
import { COLUMNS, type Detail, ProjectRows } from "./ProjectRows";

const POLL_MS = 2_000;

function summary(of: Usage): string {
  const count = of.projects.length + of.left_out;
  const refused = of.projects.reduce((sum, { write, read }) => sum + write.refused + read.refused, 0);
  return `${count} ${count === 1 ? "project" : "projects"}, ${refused === 0 ? "nothing" : refused} refused`;
}

async function detailOf(project: string, signal: AbortSignal): Promise<Detail> {
  try {
    const [own, groups] = await Promise.all([usage(project, signal), consumerGroups(project, signal)]);
    return { usage: own.projects[0], groups, error: undefined };
  } catch (cause) {
    return { usage: undefined, groups: [], error: messageOf(cause) };
  }
}

function Head() {
  return (
    <thead>
      <tr>
        {["Project", "Writes", "Reads"].map((title) => (
          <th key={title} scope="col">
            {title}
          </th>
        ))}
        <th scope="col" class="num">
          Refused
        </th>
        <th scope="col">Stores</th>
        <th scope="col">Shards</th>
      </tr>
    </thead>
  );
}

/** The opened project stands in the address, so that it can be sent to somebody. */
export function UsagePage() {
  const opened = parameters.value.get("project") ?? undefined;
  const [told, setTold] = useState<Usage>();
  const [detail, setDetail] = useState<{ of: string; detail: Detail }>();
  const [error, setError] = useState<string>();
  usePolling(
    async (abort) => {
      try {
        setTold(await usage(undefined, abort));
        setError(undefined);
        if (opened !== undefined) setDetail({ of: opened, detail: await detailOf(opened, abort) });
      } catch (cause) {
        if (!abort.aborted) setError(messageOf(cause));
      }
    },
    POLL_MS,
    [opened],
  );
  return (
    <main class="page usage">
      <div class="page-head">
        <h1>Usage</h1>
        <p class="muted" role="status" aria-live="polite">
          {told ? summary(told) : "Loading…"}
        </p>
        {told && (
          <div class="usage-pressure">
            <Meter name="Server" share={told.pressure} figure={formatShare(told.pressure)} limit="the server's room used" />
          </div>
        )}
      </div>
      {error && <ErrorLine message={error} />}
      {told && (
        <div class="card usage-card">
          <table>
            <Head />
            {told.projects.map((project) => (
              <ProjectRows
                key={project.project}
                project={project}
                open={opened === project.project}
                onToggle={() => setParameters({ project: opened === project.project ? undefined : project.project })}
                detail={detail?.of === project.project ? detail.detail : undefined}
              />
            ))}
            {told.left_out > 0 && (
              <tbody>
                <tr>
                  <td colSpan={COLUMNS} class="muted">
                    {told.left_out} more that write less
                  </td>
                </tr>
              </tbody>
            )}
          </table>
        </div>
      )}
    </main>
  );
}
