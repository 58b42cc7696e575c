import { describe, expect, it } from "vitest";
import { telemetrySettings } from "../../../src/telemetry/telemetry-settings.ts";

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:4318" };

describe("the settings of telemetry", () => {
  it.each([
    [{}, false],
    [{ OTEL_SERVICE_NAME: "shop" }, false],
    [endpoint, true],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://localhost:4318/v1/traces" }, true],
    [{ OTEL_TRACES_EXPORTER: "otlp" }, true],
    [{ ...endpoint, OTEL_TRACES_EXPORTER: "none" }, false],
    [{ ...endpoint, OTEL_SDK_DISABLED: "true" }, false],
  ])("ask for traces with %j: %j", (environment, traces) => {
    expect(telemetrySettings(environment)).toMatchObject({ traces, reach: "hot" });
  });

  it("refuse what cannot be, with every problem at once", () => {
    const environment = {
      ...endpoint,
      OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
      OTEL_TRACES_SAMPLER: "sometimes",
      OTEL_BSP_SCHEDULE_DELAY: "soon",
      WAYBILL_TRACES: "cold",
    };
    expect(() => telemetrySettings(environment)).toThrow(
      expect.objectContaining({
        code: "invalid-configuration",
        problems: [
          'OTEL_EXPORTER_OTLP_PROTOCOL is "grpc", not one of http/json, http/protobuf',
          'WAYBILL_TRACES is "cold", not one of hot, linked, single',
          expect.stringContaining('OTEL_TRACES_SAMPLER is "sometimes"'),
          'OTEL_BSP_SCHEDULE_DELAY is "soon", not a number from 0 on',
        ],
      }),
    );
  });
});
