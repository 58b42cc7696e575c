import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

// Not testcontainers: it publishes single ports of separate networks, while the tests let servers find each other on
// 127.0.0.1 (clusters, replicas, Sentinels) and signal them by their pids. It would also bring an SSH client and an
// archiver, for what is one `docker run` here.

const label = "waybill-test-run";
const image = "waybill-test-servers";
const buildWithinMs = 900_000;

// The versions that every change is tested with.
const recipe = `
FROM debian:12-slim
RUN apt-get update \\
  && apt-get install --yes --no-install-recommends rabbitmq-server redis-server amqp-tools \\
  && rm -rf /var/lib/apt/lists/*
ENV PATH=/usr/lib/rabbitmq/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
`;

/** A program that runs in a container, and shares network, pids, files and user with whoever runs it. */
const standIn = (folder: string, name: string) => `#!/bin/sh
${dockerSettings()}
settings=$(env | sed -n 's/^\\(RABBITMQ_[A-Z_]*\\|ERL_[A-Z_]*\\|HOME\\|LANG\\)=.*/--env \\1/p')
exec docker run --rm --interactive --label '${label}=${folder}' --network host --pid host \\
  --user "$(id -u):$(id -g)" --volume '${folder}:${folder}' --volume '${process.cwd()}:${process.cwd()}' \\
  --workdir "$PWD" $settings ${image} ${name} "$@"
`;

/** How this process finds the daemon: servers are started with a home of their own. */
function dockerSettings(): string {
  const { HOME = "", DOCKER_CONFIG = `${HOME}/.docker`, DOCKER_HOST, DOCKER_CONTEXT } = process.env;
  return Object.entries({ DOCKER_CONFIG, DOCKER_HOST, DOCKER_CONTEXT })
    .flatMap(([name, value]) => (value === undefined ? [] : [`export ${name}='${value}'`]))
    .join("\n");
}

/** Whether a Docker daemon answers. */
export function dockerAnswers(): boolean {
  const asked = ["version", "--format", "{{.Server.Version}}"];
  return spawnSync("docker", asked, { timeout: 20_000 }).status === 0;
}

/**
 * Makes an image with the servers, and gives a folder of programs by these names that run in it. Throws what Docker
 * says, or that its daemon is too far away for the tests to reach the servers.
 */
export function programsFromImage(folder: string, names: readonly string[]): string {
  const input = { input: recipe, encoding: "utf8", timeout: buildWithinMs } as const;
  const built = spawnSync("docker", ["build", "--tag", image, "-"], input);
  if (built.status !== 0) throw new Error(`\`docker build\` failed: ${built.stderr.slice(-1_000)}`);
  const programs = join(folder, "programs");
  mkdirSync(programs);
  for (const name of [...names, "sh"]) writeProgram(join(programs, name), standIn(folder, name));
  const shares = `test -x '${programs}/sh' && kill -0 ${process.pid}`;
  const options = { encoding: "utf8", cwd: folder } as const;
  const probed = spawnSync(join(programs, "sh"), ["-c", shares], options);
  if (probed.status === 0) return programs;
  throw new Error(`Containers share neither files nor pids with the tests. ${probed.stderr}`);
}

/** Ends the containers of a run. */
export function removeContainers(folder: string): void {
  const list = ["ps", "--all", "--quiet", "--filter", `label=${label}=${folder}`];
  const { stdout } = spawnSync("docker", list, { encoding: "utf8" });
  const ids = (stdout ?? "").split("\n").filter(Boolean);
  if (ids.length > 0) spawnSync("docker", ["rm", "--force", ...ids]);
}

function writeProgram(path: string, text: string): void {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
}
