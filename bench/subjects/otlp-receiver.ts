import { startOtlpReceiver } from "../../test/support/otlp-receiver.ts";
import { ready } from "./settings.ts";

// Takes traces, and says how many there are as Jaeger's query API does.
const receiver = await startOtlpReceiver();
ready(() => receiver.close(), receiver.url);
