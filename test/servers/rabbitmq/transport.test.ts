import { afterAll, beforeAll, describe } from "vitest";
import { transportContract } from "../../contracts/transport-contract.ts";
import { RabbitMqServer } from "../../support/rabbitmq-server.ts";
import { labOn } from "./lab.ts";

describe("the RabbitMQ transport", () => {
  let server: RabbitMqServer;

  beforeAll(async () => {
    server = await RabbitMqServer.start();
  }, 120_000);
  afterAll(() => server.stop(), 120_000);

  transportContract(() => labOn(server));
});
