export {
  type ActivityArguments,
  type ActivityDefinition,
  activity,
  type RetryDefinition,
} from "./activity.ts";
export { type Duration, toMs } from "./duration.ts";
export { WaybillError } from "./errors.ts";
export {
  type ApplicationOptions,
  createClient,
  createEngine,
  createWorker,
  type OpenClient,
  type RunningEngine,
} from "./wiring.ts";
export {
  defineWorkflow,
  type EmitsOf,
  type EventsOf,
  messages,
  type Workflow,
  type WorkflowDefinition,
} from "./workflow.ts";
