const secondMs = 1_000;
const hourMs = 3_600_000;

/** Beyond these an operator is told; `docs/operations.md` has them in a table. */
export interface HealthLimits {
  /** How old what a probe is told of the store may be, and what takes more than one question of a partition. */
  readonly surveyMs: number;
  readonly deepSurveyMs: number;
  /** How often a process looks by itself, so that its log says what changes. */
  readonly lookMs: number;
  readonly ownerlessMs: number;
  readonly stalledMs: number;
  readonly timerOverdueMs: number;
  readonly outboxAgeMs: number;
  readonly outboxEntries: number;
  readonly queueMessages: number;
  readonly waitingMs: number;
  readonly clockSkewMs: number;
  readonly loopBlockedMs: number;
  /** How long it is still told that a clock has jumped or that the process was blocked. */
  readonly tellMs: number;
}

export const healthLimits: HealthLimits = {
  surveyMs: secondMs,
  deepSurveyMs: 15 * secondMs,
  lookMs: 5 * secondMs,
  ownerlessMs: 10 * secondMs,
  stalledMs: 30 * secondMs,
  timerOverdueMs: 30 * secondMs,
  outboxAgeMs: 60 * secondMs,
  outboxEntries: 5_000,
  queueMessages: 5_000,
  waitingMs: 24 * hourMs,
  clockSkewMs: 5 * secondMs,
  loopBlockedMs: secondMs,
  tellMs: 600 * secondMs,
};
