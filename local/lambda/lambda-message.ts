/** What a function failed with, as the Lambda API reports it. */
export type FunctionError = {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace: readonly string[];
};

/** What one execution environment is started with. */
export type WorkerStart = {
  readonly directory: string;
  readonly handler: string;
  readonly functionName: string;
  readonly functionArn: string;
  readonly memoryMb: number;
};

/** From the platform to an execution environment. `drained` answers the `chunk` of that sequence number; `gone`: the client is known to have left. */
export type ToWorker =
  | {
      readonly type: 'invoke';
      readonly requestId: string;
      readonly event: string;
      readonly deadlineMs: number;
    }
  | { readonly type: 'drained'; readonly sequence: number }
  | { readonly type: 'gone' };

/** From an execution environment to the platform. `returned` and `ended` and `failed` each end an invocation. */
export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'chunk'; readonly sequence: number; readonly bytes: Uint8Array }
  | { readonly type: 'returned'; readonly payload: string }
  | { readonly type: 'ended' }
  | { readonly type: 'failed'; readonly error: FunctionError };
