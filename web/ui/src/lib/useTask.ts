// Asynchronous work of a component: the last started run wins, earlier ones are aborted, and so is everything at unmount.
import { useEffect, useRef, useState } from "preact/hooks";
import { isAbort } from "./api";

export interface Task<T> {
  /** The latest result; kept while the next run is under way. */
  value: T | undefined;
  error: string | undefined;
  running: boolean;
}

export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** What a task does; `show` gives a value that a better one follows. */
export type Work<T> = (signal: AbortSignal, show: (value: T) => void) => Promise<T>;

/** A task started by hand: `[state, run, cancel]`. */
export function useTask<T>(): [Task<T>, (work: Work<T>) => void, () => void] {
  const [state, setState] = useState<Task<T>>({ value: undefined, error: undefined, running: false });
  const current = useRef<AbortController | null>(null);
  useEffect(() => () => current.current?.abort(), []);

  const run = (work: Work<T>) => {
    current.current?.abort();
    const controller = new AbortController();
    current.current = controller;
    setState((before) => ({ ...before, running: true }));
    const show = (value: T) => {
      if (current.current === controller) setState({ value, error: undefined, running: true });
    };
    work(controller.signal, show).then(
      (value) => {
        if (current.current === controller) setState({ value, error: undefined, running: false });
      },
      (cause: unknown) => {
        if (current.current !== controller || isAbort(cause)) return;
        setState({ value: undefined, error: messageOf(cause), running: false });
      },
    );
  };
  const cancel = () => {
    current.current?.abort();
    setState((before) => ({ ...before, running: false }));
  };
  return [state, run, cancel];
}

/** Runs `work` at once and whenever `keys` change. */
export function useLoad<T>(work: (signal: AbortSignal) => Promise<T>, keys: readonly unknown[]): Task<T> {
  const [state, run] = useTask<T>();
  useEffect(() => run(work), keys);
  return state;
}

/**
 * Calls `work` now and then every `intervalMs`, each call after the one before has ended; rests while the tab is hidden.
 * An interval of 0 calls it once.
 */
export function usePolling(
  work: (signal: AbortSignal) => Promise<void>,
  intervalMs: number,
  keys: readonly unknown[] = [],
) {
  const latest = useRef(work);
  latest.current = work;
  useEffect(() => {
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tick = async () => {
      if (!document.hidden) {
        await latest.current(controller.signal).catch((cause: unknown) => {
          if (!isAbort(cause)) throw cause;
        });
      }
      if (intervalMs > 0 && !controller.signal.aborted) timer = setTimeout(tick, intervalMs);
    };
    void tick();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [intervalMs, ...keys]);
}
