// Values with their units, by Grafana's unit ids. An id that is not known is written behind the value as it is.
import { formatTime } from "../lib/format";

/** A value in its parts, so that a big number can have a small unit. */
export interface Written {
  prefix: string;
  text: string;
  suffix: string;
}

type Writer = (value: number, decimals: number | undefined) => Written;

/** Three significant digits, or exactly `decimals` behind the point. */
function digits(value: number, decimals: number | undefined): string {
  if (decimals !== undefined) return value.toFixed(decimals);
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value);
  const size = Math.abs(value);
  if (size >= 1000) return String(Math.round(value));
  const text = Number(value.toPrecision(3)).toString();
  return text.includes("e") ? value.toExponential(2) : text;
}

const behind = (suffix: string): Writer => (value, decimals) => ({
  prefix: "",
  text: digits(value, decimals),
  suffix,
});

/** Divides by `factor` until the value is small, starting at the unit with index `start`. */
function scaled(factor: number, units: readonly string[], start = 0): Writer {
  return (value, decimals) => {
    let index = start;
    let rest = value;
    while (Math.abs(rest) >= factor && index < units.length - 1) {
      rest /= factor;
      index += 1;
    }
    return { prefix: "", text: digits(rest, decimals), suffix: units[index] ?? "" };
  };
}

const IEC = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const SI = ["", "k", "M", "G", "T", "P", "E"];
const COUNTS = ["", " K", " Mil", " Bil", " Tri", " Quadr"];

const iec = (unit: string, start = 0) => scaled(1024, IEC.map((power) => ` ${power}${unit}`), start);
const si = (unit: string, start = 0) => scaled(1000, SI.map((power) => ` ${power}${unit}`), start);
const counted = (unit: string) => scaled(1000, COUNTS.map((power) => `${power}${unit ? ` ${unit}` : ""}`));

/** SI below one too: milli, micro, nano. */
function measured(unit: string): Writer {
  return (value, decimals) => {
    const size = Math.abs(value);
    if (size === 0 || size >= 1) return si(unit)(value, decimals);
    const [power, factor] = size >= 1e-3 ? ["m", 1e3] : size >= 1e-6 ? ["µ", 1e6] : ["n", 1e9];
    return { prefix: "", text: digits(value * Number(factor), decimals), suffix: ` ${power}${unit}` };
  };
}

const TIME_UNITS = [
  [1e-9, " ns"],
  [1e-6, " µs"],
  [1e-3, " ms"],
  [1, " s"],
  [60, " min"],
  [3600, " hours"],
  [86_400, " days"],
  [604_800, " weeks"],
  [31_536_000, " years"],
] as const;

/** The value times `seconds`, in the largest unit that leaves one or more. */
function time(seconds: number): Writer {
  return (value, decimals) => {
    const total = value * seconds;
    if (total === 0) return behind(TIME_UNITS.find(([unit]) => unit === seconds)?.[1] ?? " s")(0, decimals);
    const [size, suffix] = TIME_UNITS.findLast(([least]) => Math.abs(total) >= least) ?? TIME_UNITS[0];
    return { prefix: "", text: digits(total / size, decimals), suffix };
  };
}

const DURATION_PARTS = [
  [31_536_000, "year"],
  [2_628_000, "month"],
  [604_800, "week"],
  [86_400, "day"],
  [3600, "hour"],
  [60, "minute"],
  [1, "second"],
] as const;

/** `2 days, 3 hours`: as many parts as `decimals` and one. */
function duration(seconds: number): Writer {
  return (value, decimals) => {
    let rest = Math.abs(value * seconds);
    const parts: string[] = [];
    for (const [size, name] of DURATION_PARTS) {
      const count = Math.floor(rest / size);
      rest -= count * size;
      if (count > 0) parts.push(`${count} ${name}${count === 1 ? "" : "s"}`);
    }
    const text = parts.slice(0, (decimals ?? 0) + 1).join(", ") || "0 seconds";
    return { prefix: value < 0 ? "-" : "", text, suffix: "" };
  };
}

function pad(part: number, width = 2): string {
  return String(part).padStart(width, "0");
}

function clock(withDays: boolean): Writer {
  return (value) => {
    const total = Math.round(Math.abs(value));
    const days = withDays ? Math.floor(total / 86_400) : 0;
    const rest = total - days * 86_400;
    const text = `${pad(Math.floor(rest / 3600))}:${pad(Math.floor(rest / 60) % 60)}:${pad(rest % 60)}`;
    return { prefix: value < 0 ? "-" : "", text: withDays ? `${days} d ${text}` : text, suffix: "" };
  };
}

const plain = (text: string): Written => ({ prefix: "", text, suffix: "" });
const choice = (yes: string, no: string): Writer => (value) => plain(value === 0 ? no : yes);
const currency = (sign: string): Writer => (value, decimals) => {
  const { text, suffix } = scaled(1000, ["", "K", "M", "B", "T"])(Math.abs(value), decimals);
  return { prefix: value < 0 ? `-${sign}` : sign, text, suffix };
};

/** How long ago or ahead a moment in milliseconds is. */
const fromNow: Writer = (value) => {
  const seconds = (Date.now() - value) / 1000;
  const { text } = duration(1)(Math.abs(seconds), 0);
  return plain(seconds >= 0 ? `${text} ago` : `in ${text}`);
};

const DATE_PARTS: Record<string, (at: Date) => string> = {
  YYYY: (at) => String(at.getFullYear()),
  MM: (at) => pad(at.getMonth() + 1),
  DD: (at) => pad(at.getDate()),
  HH: (at) => pad(at.getHours()),
  mm: (at) => pad(at.getMinutes()),
  ss: (at) => pad(at.getSeconds()),
  SSS: (at) => pad(at.getMilliseconds(), 3),
};

function dateBy(format: string): Writer {
  return (value) => {
    const at = new Date(value);
    return plain(format.replace(/YYYY|MM|DD|HH|mm|SSS|ss/g, (part) => DATE_PARTS[part]?.(at) ?? part));
  };
}

const isoDate: Writer = (value) => plain(formatTime(value));

const UNITS: Record<string, Writer> = {
  none: behind(""),
  string: behind(""),
  short: counted(""),
  sishort: scaled(1000, SI.map((power) => (power ? ` ${power}` : ""))),
  percent: behind("%"),
  percentunit: (value, decimals) => behind("%")(value * 100, decimals),
  humidity: behind(" %H"),
  sci: (value, decimals) => plain(value.toExponential(decimals)),
  hex: (value) => plain(Math.trunc(value).toString(16).toUpperCase()),
  hex0x: (value) => plain(`0x${Math.trunc(value).toString(16).toUpperCase()}`),
  locale: (value, decimals) => plain(value.toLocaleString("en-US", { maximumFractionDigits: decimals ?? 3 })),

  bytes: iec("B"),
  kbytes: iec("B", 1),
  mbytes: iec("B", 2),
  gbytes: iec("B", 3),
  tbytes: iec("B", 4),
  bits: iec("b"),
  decbytes: si("B"),
  deckbytes: si("B", 1),
  decmbytes: si("B", 2),
  decgbytes: si("B", 3),
  dectbytes: si("B", 4),
  decbits: si("b"),
  binBps: iec("B/s"),
  Bps: si("B/s"),
  binbps: iec("b/s"),
  bps: si("b/s"),
  KiBs: iec("B/s", 1),
  MiBs: iec("B/s", 2),
  GiBs: iec("B/s", 3),
  KBs: si("B/s", 1),
  MBs: si("B/s", 2),
  GBs: si("B/s", 3),
  Kbits: si("b/s", 1),
  Mbits: si("b/s", 2),
  Gbits: si("b/s", 3),
  pps: si("p/s"),

  ns: time(1e-9),
  "µs": time(1e-6),
  "μs": time(1e-6),
  ms: time(1e-3),
  s: time(1),
  m: time(60),
  h: time(3600),
  d: time(86_400),
  dtdurations: duration(1),
  dtdurationms: duration(1e-3),
  dthms: clock(false),
  dtdhms: clock(true),
  clocks: duration(1),
  clockms: duration(1e-3),
  hertz: si("Hz"),

  dateTimeAsIso: isoDate,
  dateTimeAsIsoNoDateIfToday: isoDate,
  dateTimeAsUS: dateBy("MM/DD/YYYY HH:mm:ss"),
  dateTimeAsLocal: isoDate,
  dateTimeAsSystem: isoDate,
  dateTimeFromNow: fromNow,

  bool: choice("True", "False"),
  bool_yes_no: choice("Yes", "No"),
  bool_on_off: choice("On", "Off"),

  currencyUSD: currency("$"),
  currencyEUR: currency("€"),
  currencyGBP: currency("£"),
  currencyJPY: currency("¥"),
  currencyCNY: currency("¥"),

  celsius: behind(" °C"),
  fahrenheit: behind(" °F"),
  kelvin: behind(" K"),
  degree: behind("°"),
  watt: measured("W"),
  volt: measured("V"),
  amp: measured("A"),
  joule: measured("J"),
  watth: measured("Wh"),
  dBm: behind(" dBm"),
  dB: behind(" dB"),
  ppm: behind(" ppm"),
  rotrpm: behind(" rpm"),
};

const COUNTED_RATES: Record<string, string> = {
  cps: "c/s",
  ops: "ops/s",
  reqps: "req/s",
  rps: "rd/s",
  wps: "wr/s",
  iops: "io/s",
  eps: "evt/s",
  mps: "msg/s",
  recps: "rec/s",
  rowsps: "rows/s",
  cpm: "c/min",
  opm: "ops/min",
  reqpm: "req/min",
  rpm: "rd/min",
  wpm: "wr/min",
  mpm: "msg/min",
};

function custom(unit: string): Writer | undefined {
  const colon = unit.indexOf(":");
  if (colon < 0) return undefined;
  const rest = unit.slice(colon + 1);
  switch (unit.slice(0, colon)) {
    case "prefix":
      return (value, decimals) => ({ prefix: rest, text: digits(value, decimals), suffix: "" });
    case "suffix":
      return behind(rest);
    case "time":
      return dateBy(rest.trim());
    case "si":
      return measured(rest);
    case "count":
      return counted(rest);
    case "currency":
      return currency(rest);
    case "bool": {
      const [yes = "", no = ""] = rest.split("/");
      return choice(yes, no);
    }
    default:
      return undefined;
  }
}

function writer(unit: string | undefined): Writer {
  if (!unit) return behind("");
  const rate = COUNTED_RATES[unit];
  return UNITS[unit] ?? (rate ? counted(rate) : undefined) ?? custom(unit) ?? behind(` ${unit}`);
}

export function write(value: number, unit?: string, decimals?: number): Written {
  if (Number.isNaN(value)) return plain("NaN");
  if (!Number.isFinite(value)) return plain(value > 0 ? "+Inf" : "-Inf");
  return writer(unit)(value, decimals);
}

export function written(value: number, unit?: string, decimals?: number): string {
  const { prefix, text, suffix } = write(value, unit, decimals);
  return prefix + text + suffix;
}
