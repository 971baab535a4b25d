// Rates in words, and shares of limits.
import { formatBytes, formatCount, formatShort } from "../lib/format";
import type { FlowLimits, Rate } from "./api";

export type Direction = "write" | "read";

/** A limit of zero allows nothing: any use of it is over. */
export function shareOf(used: number, limit: number): number {
  if (limit > 0) return used / limit;
  return used > 0 ? Infinity : 0;
}

export function bytesLimit(limits: FlowLimits, direction: Direction): number {
  return direction === "write" ? limits.write_bytes : limits.read_bytes;
}

export function requestsLimit(limits: FlowLimits, direction: Direction): number {
  return direction === "write" ? limits.write_requests : limits.read_requests;
}

export function bytesRate(bytes: number): string {
  return `${formatBytes(bytes)}/s`;
}

export function requestsRate(requests: number): string {
  return `${requests > 0 && requests < 1 ? requests.toPrecision(1) : formatShort(requests)}/s`;
}

export function rateText(rate: Rate): string {
  return `${bytesRate(rate.bytes_per_second)}, ${requestsRate(rate.requests_per_second)}`;
}

/** Nothing refused is not worth a figure. */
export function refusedText(refused: number): string {
  return refused === 0 ? "–" : formatCount(refused);
}
