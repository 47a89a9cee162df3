/** The process itself: processor time, memory, the event loop, files. Names as other programs have them, so that known dashboards fit. */
import { readdirSync } from "node:fs";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { droppedLines } from "../../kernel/output.ts";
import type { Registry } from "./registry.ts";

const DELAY_RESOLUTION_MS = 20;
const LINUX_FILES = "/proc/self/fd";

export interface ProcessMetrics {
  /** Ends the measurement of the event loop. */
  close(): void;
}

export function nameProcessMetrics(registry: Registry, version: string): ProcessMetrics {
  const { node } = process.versions;
  registry.reading(
    "gauge",
    "sallyport_build_info",
    "Version of the program and of Node; always 1.",
    ["version", "node"],
    () => [[1, version, node]],
  );
  registry.gauge(
    "process_start_time_seconds",
    "Start of the process since the epoch.",
    () => performance.timeOrigin / 1000,
  );
  registry.reading("counter", "process_cpu_seconds_total", "Processor time used, user and system.", [], () => {
    const { user, system } = process.cpuUsage();
    return [[(user + system) / 1e6]];
  });
  registry.gauge("process_resident_memory_bytes", "Resident memory.", () => process.memoryUsage.rss());
  registry.gauge("nodejs_heap_size_used_bytes", "JavaScript heap in use.", () => process.memoryUsage().heapUsed);
  registry.gauge(
    "nodejs_external_memory_bytes",
    "Memory of buffers and bindings outside the heap.",
    () => process.memoryUsage().external,
  );
  registry.reading("gauge", "process_open_fds", "Open file descriptors, if the system reports them.", [], () => {
    const open = openFiles();
    return open === undefined ? [] : [[open]];
  });
  registry.reading(
    "counter",
    "sallyport_log_lines_dropped_total",
    "Lines of output that were dropped because no program read them.",
    [],
    () => [[droppedLines()]],
  );
  return nameEventLoopMetrics(registry);
}

function nameEventLoopMetrics(registry: Registry): ProcessMetrics {
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  registry.reading("counter", "nodejs_eventloop_active_seconds_total", "Time the event loop was busy.", [], () => [
    [performance.eventLoopUtilization().active / 1000],
  ]);
  registry.reading("counter", "nodejs_eventloop_idle_seconds_total", "Time the event loop waited.", [], () => [
    [performance.eventLoopUtilization().idle / 1000],
  ]);
  // The timer that measures is itself late by its own interval: only what is over that is delay.
  const seconds = (nanoseconds: number): number =>
    Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e9 - DELAY_RESOLUTION_MS / 1e3) : 0;
  registry.gauge("nodejs_eventloop_delay_mean_seconds", "Mean delay of the event loop since the last scrape.", () =>
    seconds(delay.mean),
  );
  registry.gauge(
    "nodejs_eventloop_delay_p99_seconds",
    "99th percentile of the event loop's delay since the last scrape.",
    () => seconds(delay.percentile(99)),
  );
  registry.gauge("nodejs_eventloop_delay_max_seconds", "Longest delay of the event loop since the last scrape.", () => {
    const longest = seconds(delay.max);
    // Named last, so read last: the next scrape starts from zero.
    delay.reset();
    return longest;
  });
  return { close: () => void delay.disable() };
}

function openFiles(): number | undefined {
  try {
    return readdirSync(LINUX_FILES).length;
  } catch {
    return undefined;
  }
}
