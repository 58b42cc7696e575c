import { describe, expect, test } from "vitest";
import { nameOf, parseAddresses } from "../../../../transports/rabbitmq/address.ts";

describe("the addresses in a broker's URL", () => {
  test("are one for each host, with the credentials and the vhost of all", () => {
    const url = "amqps://wf:s%3Acret%40@one.example:5673,[::1],two/orders%2Feu";
    const shared = {
      protocol: "amqps",
      username: "wf",
      password: "s:cret@",
      vhost: "orders%2Feu",
    };
    expect(parseAddresses(url)).toEqual([
      { ...shared, hostname: "one.example", port: 5_673 },
      { ...shared, hostname: "::1", port: 5_671 },
      { ...shared, hostname: "two", port: 5_671 },
    ]);
  });

  test.each(["amqp://localhost", "amqp://localhost/"])("default as in AMQP: %s", (url) => {
    expect(parseAddresses(url)).toEqual([
      {
        protocol: "amqp",
        hostname: "localhost",
        port: 5_672,
        username: "guest",
        password: "guest",
        vhost: "%2F",
      },
    ]);
  });

  test.each([
    "http://x",
    "amqp://",
    "amqp://a,,b",
    "amqp://u:%zz@h",
    "amqp://h:port",
    "amqp://h:0",
    "amqp://h:65536",
    "amqp://h:1?x=1",
  ])("are refused without a word of the URL: %s", (url) => {
    expect(() => parseAddresses(url)).toThrow(
      expect.objectContaining({ code: "invalid-configuration" }),
    );
    expect(() => parseAddresses(url)).not.toThrow(url);
  });

  test("are named without the credentials", () => {
    const [address] = parseAddresses("amqp://user:sesame@host");
    expect(nameOf(address)).toBe("amqp://host:5672");
  });
});
