import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { RabbitMqServer } from "../../support/rabbitmq-server.ts";
import { RedisServer } from "../../support/redis-server.ts";
import { removeContainers } from "../../support/server-image.ts";
import { serverProgram, setup } from "../../support/server-programs.ts";

const names = ["rabbitmq-server", "rabbitmqctl", "redis-server", "amqp-publish", "amqp-consume"];
const real = Object.fromEntries(names.map((name) => [name, serverProgram(name)]));

let folder: string;
/** Programs that answer as those of the same name would. */
let fakes: string;
/** Where the servers are looked for: nowhere else. */
let place: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "waybill-programs-"));
  [fakes, place] = [join(folder, "fakes"), join(folder, "place")];
  mkdirSync(fakes);
  mkdirSync(place);
  vi.stubEnv("PATH", fakes);
  vi.stubEnv("WAYBILL_TEST_PLACES", place);
  vi.stubEnv("WAYBILL_TEST_RUN", folder);
  vi.spyOn(console, "log").mockImplementation(() => undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

function fake(name: string, script: string): void {
  const path = join(fakes, name);
  writeFileSync(path, `#!/bin/sh\nPATH=/usr/local/bin:/usr/bin:/bin\n${script}\n`);
  chmodSync(path, 0o755);
}

function beUser(id: number): void {
  vi.spyOn(process as { getuid(): number }, "getuid").mockReturnValue(id);
}

function noted(): string {
  const path = join(folder, "noted");
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

function said(): string {
  return vi.mocked(console.log).mock.calls.flat().join("\n");
}

describe("where servers are missing and no Docker daemon answers", () => {
  beforeEach(() => {
    fake("docker", "exit 1");
    writeFileSync(join(place, "redis-server"), "");
    chmodSync(join(place, "redis-server"), 0o755);
  });

  test.runIf(existsSync("/etc/debian_version"))(
    "root on Debian gets just those, waits for another's lock, and says so",
    async () => {
      beUser(0);
      fake(
        "apt-get",
        `echo "$DEBIAN_FRONTEND: $*" >>${folder}/noted
        if ! test -e ${folder}/locked; then
          touch ${folder}/locked
          echo 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1 (apt-get)' >&2; exit 100
        fi
        if test "$1" = install; then
          for name in ${names.join(" ")}; do cp /bin/true ${place}/$name; done
        fi`,
      );
      await setup();
      const install = "install --yes --no-install-recommends rabbitmq-server amqp-tools";
      expect(noted().trim().split("\n")).toEqual(
        ["update", "update", install].map((words) => `noninteractive: ${words}`),
      );
      expect(said()).toBe(`Running apt-get ${install}: the tests need them.`);
      expect(serverProgram("rabbitmqctl")).toBe(join(place, "rabbitmqctl"));
    },
  );

  test("anybody else is told what to install, by every test that needs it too", async () => {
    beUser(1_000);
    fake("apt-get", `echo "$*" >>${folder}/noted`);
    await setup();
    expect(noted()).toBe("");
    expect(said()).toContain("lack rabbitmq-server, rabbitmqctl, amqp-publish, amqp-consume.");
    expect(said()).toContain("`apt-get install rabbitmq-server amqp-tools` as root");
    const wanted = "`apt-get install rabbitmq-server amqp-tools` as root";
    expect(() => serverProgram("rabbitmq-server")).toThrow(wanted);
  });

  test("what apt-get had to say is passed on when it fails", async () => {
    beUser(0);
    fake("apt-get", "echo 'E: Unable to fetch some archives' >&2; exit 100");
    await setup();
    const passedOn = existsSync("/etc/debian_version") ? "Unable to fetch some archives" : "Only";
    expect(said()).toContain(passedOn);
    expect(said()).toContain("or start a Docker daemon");
  });
});

describe("where a Docker daemon answers", () => {
  /** Runs a container's program on this machine, with no more environment than the container would have. */
  const dockerRun = () => `
    echo "$*" >>${folder}/noted
    kept=
    while test "$1" != waybill-test-servers; do
      case "$1" in
        --env) kept="$kept $2"; shift 2 ;;
        --workdir) cd "$2"; shift 2 ;;
        --rm|--interactive) shift ;;
        *) shift 2 ;;
      esac
    done
    shift; name=$1; shift
    case "$name" in ${names.map((one) => `${one}) name=${real[one]} ;;`).join(" ")} esac
    for other in $(env | sed -n 's/^\\([A-Za-z_][A-Za-z0-9_]*\\)=.*/\\1/p'); do
      case " $kept PATH " in *" $other "*) ;; *) unset $other ;; esac
    done
    exec "$name" "$@"`;

  beforeEach(() => {
    vi.stubEnv("PATH", `${fakes}:/usr/local/bin:/usr/bin:/bin`);
    fake("apt-get", "exit 1");
    fake(
      "docker",
      `case "$1" in
        version) echo 28 ;;
        build) cat >${folder}/recipe ;;
        run) shift; ${dockerRun()} ;;
        *) echo "$*" >>${folder}/noted ;;
      esac`,
    );
  });

  test("the servers run as containers, and obey the tests as others do", async () => {
    await setup();
    const recipe = readFileSync(join(folder, "recipe"), "utf8");
    expect(recipe).toContain("rabbitmq-server redis-server amqp-tools");
    const redis = await RedisServer.start({ log: "always" });
    await redis.call("set", "a", "1");
    await redis.kill();
    await redis.run();
    expect(await redis.call("get", "a")).toBe("1");
    await redis.stop();
    const broker = await RabbitMqServer.start();
    expect(await broker.control("list_users")).toContain("engine");
    await broker.stop();
    expect(noted()).toContain(`--label waybill-test-run=${folder} --network host --pid host`);
    removeContainers(folder);
    expect(noted()).toContain(`ps --all --quiet --filter label=waybill-test-run=${folder}`);
  }, 120_000);

  test("a daemon on another machine is not used, and that is said", async () => {
    fake("docker", `test "$1" = run && { echo 'no such file' >&2; exit 1; }; exit 0`);
    beUser(1_000);
    await setup();
    expect(said()).toContain("share neither files nor pids with the tests. no such file");
  });
});
