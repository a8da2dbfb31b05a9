/**
 * Bounds of every SDK call: a dependency that hangs is a dependency that is down. Three attempts of 2 s stay below the 29 s
 * of a buffered integration with room for the rest of a request.
 */
export const SDK_BOUNDS = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true },
} as const;
