/** One row per room of the house: the files in it, and the only imports they may make. */
export interface Room {
  readonly name: string;
  readonly files: RegExp;
  readonly mayImport: readonly RegExp[];
}

// The timers and the database hide behind `src/clock.ts` and `src/sqlite-file.ts`.
const node = /^node:(?!sqlite|timers|perf_hooks)/;
const anything = /./;
const sqlite = /^node:sqlite$/;
const xstate = /^xstate$/;
const standardSchema = /^@standard-schema\/spec$/;

const words =
  /^src\/(message|errors|clock|duration|failpoint|ids|json-text|routing|shown-url|commit|member|tracer|baggage|semantic-conventions)\.ts$/;
const contracts = /^src\/(transport|store|observer)\.ts$/;
const sqliteFile = /^src\/sqlite-file\.ts$/;
const workflow = /^src\/(workflow|activity|schema)(-[a-z-]+)?\.ts$/;
const engine = /^src\/engine\//;
const client = /^src\/engine\/client\.ts$/;
const publicApi = /^src\/index\.ts$/;
const wiring = /^src\/((wiring|configuration|connections|late-client|main)\.ts$|cli\/)/;
const testing = /^src\/testing(\.ts$|\/)/;
const allStores = /^src\/stores\/[a-z-]+\.ts$/;
// Any AMQP client could be in their place, so they use one and know nothing of ours.
const serviceProcess = /^machines\/[a-z-]+\/services\/amqp-[a-z-]+\.ts$/;
const memoryTransport = /^transports\/memory\//;

export const rooms: readonly Room[] = [
  { name: "words", files: words, mayImport: [words, node] },
  { name: "contracts", files: contracts, mayImport: [words, contracts] },
  { name: "SQLite file", files: sqliteFile, mayImport: [words, node, sqlite] },
  { name: "workflow", files: workflow, mayImport: [words, workflow, xstate, standardSchema] },
  {
    name: "engine",
    files: engine,
    mayImport: [words, contracts, workflow, engine, xstate, standardSchema, /^node:crypto$/],
  },
  adapter("what all stores do", allStores),
  adapter("memory store", /^src\/stores\/memory\//, allStores),
  adapter("SQLite store", /^src\/stores\/sqlite\//, allStores, sqliteFile, sqlite),
  adapter("Redis store", /^src\/stores\/redis\//, allStores, /^ioredis$/),
  adapter("memory transport", memoryTransport),
  adapter("embedded transport", /^transports\/embedded\//, memoryTransport, sqliteFile, sqlite),
  adapter("RabbitMQ transport", /^transports\/rabbitmq\//, /^amqplib$/),
  adapter("telemetry", /^src\/telemetry\//, /^@opentelemetry\//, /^pino$/),
  {
    name: "HTTP",
    files: /^src\/http\//,
    mayImport: [words, client, /^src\/http\//, /^(@hono\/[a-z-]+|hono(\/.+)?|zod)$/, node],
  },
  {
    name: "dashboard",
    files: /^src\/dashboard\//,
    mayImport: [/^src\/dashboard\//, /^(preact(\/.+)?|uplot)$/],
  },
  {
    name: "analysis",
    files: /^src\/analysis\//,
    mayImport: [words, workflow, /^src\/analysis\//, xstate, /^elkjs(\/.+)?$/],
  },
  {
    name: "public API",
    files: publicApi,
    mayImport: [words, contracts, workflow, engine, /^src\/wiring\.ts$/],
  },
  {
    name: "test kit",
    files: testing,
    mayImport: [publicApi, testing, words, contracts, xstate],
  },
  { name: "wiring", files: wiring, mayImport: [anything] },
  {
    name: "services as processes of their own",
    files: serviceProcess,
    mayImport: [node, /^machines\//, /^amqplib$/],
  },
  {
    name: "machines",
    files: /^machines\/(?!.*\/amqp-)/,
    mayImport: [publicApi, /^machines\//, /^zod$/, xstate, node],
  },
  {
    // As a user has the engine, beside what others would write without it; its servers are those of the tests.
    name: "benchmarks",
    files: /^bench\//,
    mayImport: [
      publicApi,
      words,
      engine,
      /^src\/telemetry\/(metrics|open-tracing)\.ts$/,
      /^transports\/rabbitmq\/cork\.ts$/,
      /^test\/support\//,
      /^bench\//,
      /^node:/,
      /^(amqplib|ioredis|xstate|zod)$/,
    ],
  },
];

/** Store, transport or telemetry: it leans on the contracts, on its own folder and on its driver. */
function adapter(name: string, files: RegExp, ...driver: readonly RegExp[]): Room {
  return { name, files, mayImport: [words, contracts, node, files, ...driver] };
}

/** Known by nobody, except that the public API hands out what `wiring.ts` puts together. */
export const wiringFiles = wiring;
export const wiringUsers: readonly RegExp[] = [wiring, publicApi];

/** Loaded by the wiring only when the configuration asks for them. */
export const loadedLazily = /^(transports|src\/(stores|http|telemetry|dashboard))\//;

/** Files that hold a contract, and how long prose and signatures together may be. */
export const contractFiles = contracts;
export const contractLines = 130;
export const fileLines = 300;

/** Names that gather what belongs elsewhere. */
export const buckets = /(^|\/)(types|utils?|helpers?|common|interfaces|misc)\.tsx?$/;

/** Reads of real time and chance; a simulated run could not repeat them. */
export const realTimeOrChance =
  /\b(?:Date\.now|Math\.random|setTimeout|setInterval|setImmediate|performance\.\w+|process\.hrtime|AbortSignal\.timeout|random(?:UUID|Bytes|Int))\b|\bnew Date(?!\()|\bnew Date\(\s*\)|(?<!\bnew )\bDate\(/g;
export const mustBeRepeatable = /^(src|transports)\//;
export const mayTouchReality = /^src\/(clock\.ts$|ids\.ts$|main\.ts$|cli\/)/;

/** What draws at random in tests, and the one place for its seed: real chance would fail now and then. */
export const chance = /^fast-check$/;
export const seedFile = "test/support/fuzz-budget.ts";
export const fixedSeed = /\bseed: firstSeed\b/;
export const otherSeed = /\bseed: (?!firstSeed\b)|\bfc\.sample\(/;
