/** A regular expression as a tree. */
export type TextNode =
  | {
      readonly kind: 'character';
      /** Code points, both ends included. */
      readonly ranges: readonly (readonly [number, number])[];
      readonly isNegated: boolean;
    }
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  | { readonly kind: 'sequence'; readonly items: readonly TextNode[] }
  | { readonly kind: 'choice'; readonly branches: readonly TextNode[] }
  | { readonly kind: 'repeat'; readonly node: TextNode; readonly min: number; readonly max: number };

/** The steps of a pattern: each goes to the next one, or to those that it names. */
export type TextProgram = readonly Step[];

type Step =
  | Extract<TextNode, { readonly kind: 'character' | 'start' | 'end' }>
  | { readonly kind: 'fork'; to: readonly number[] }
  | { readonly kind: 'match' };

/** How much may still be looked at in one decision; what is used up is used up for all of it. */
export type StepBudget = { stepsLeft: number };

const MAX_STEPS = 1_000;

/** Compiles a tree; undefined where the program would be too large: repeats are written out. */
export function compileProgram(node: TextNode): TextProgram | undefined {
  const steps: Step[] = [];
  emit(node, steps);
  steps.push({ kind: 'match' });
  return steps.length > MAX_STEPS ? undefined : steps;
}

function emit(node: TextNode, steps: Step[]): void {
  // What is too large already is not made larger.
  if (steps.length > MAX_STEPS) return;
  switch (node.kind) {
    case 'character':
    case 'start':
    case 'end':
      steps.push(node);
      return;
    case 'sequence':
      for (const item of node.items) emit(item, steps);
      return;
    case 'choice':
      emitChoice(node.branches, steps);
      return;
    case 'repeat':
      emitRepeat(node, steps);
  }
}

function emitChoice(branches: readonly TextNode[], steps: Step[]): void {
  const choose = fork(steps);
  const begins: number[] = [];
  const ends = branches.map((branch) => {
    begins.push(steps.length);
    emit(branch, steps);
    return fork(steps);
  });
  choose.to = begins;
  for (const end of ends) end.to = [steps.length];
}

function emitRepeat({ node, min, max }: Extract<TextNode, { readonly kind: 'repeat' }>, steps: Step[]): void {
  for (let count = 0; count < min; count += 1) {
    const begin = steps.length;
    emit(node, steps);
    // A repeat of nothing is nothing, however often; and what is too large grows no more.
    if (steps.length === begin || steps.length > MAX_STEPS) break;
  }
  if (max === Number.POSITIVE_INFINITY) {
    const begin = steps.length;
    const choose = fork(steps);
    emit(node, steps);
    fork(steps).to = [begin];
    choose.to = [begin + 1, steps.length];
    return;
  }
  const leaves: { to: readonly number[] }[] = [];
  for (let count = min; count < max; count += 1) {
    const choose = fork(steps);
    choose.to = [steps.length];
    leaves.push(choose);
    emit(node, steps);
  }
  for (const leave of leaves) leave.to = [...leave.to, steps.length];
}

function fork(steps: Step[]): Extract<Step, { readonly kind: 'fork' }> {
  const step: Extract<Step, { readonly kind: 'fork' }> = { kind: 'fork', to: [] };
  steps.push(step);
  return step;
}

/**
 * Is there a match anywhere in the text? All ways through the program are followed at once, so its time is the program's size times the
 * text's length whatever the two are. Undefined where the budget does not suffice.
 */
export function runProgram(program: TextProgram, text: string, budget: StepBudget): boolean | undefined {
  // Where each step was followed last: before a text's first character is place 1, so that 0 is nowhere.
  const followed = new Int32Array(program.length);
  let waiting: number[] = [];
  let next: number[] = [];
  let place = 0;
  for (let at = 0; at <= text.length; ) {
    const character = text.codePointAt(at);
    place += 1;
    waiting.push(0);
    for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
      budget.stepsLeft -= 1;
      if (budget.stepsLeft < 0) return undefined;
      if (followed[index] === place) continue;
      followed[index] = place;
      const step = program[index];
      if (step === undefined || step.kind === 'match') return true;
      if (step.kind === 'fork') for (const to of step.to) waiting.push(to);
      else if (step.kind === 'character') {
        if (character !== undefined && isAmong(step, character)) next.push(index + 1);
      } else if (step.kind === 'start' ? at === 0 : character === undefined) waiting.push(index + 1);
    }
    [waiting, next] = [next, waiting];
    at += character !== undefined && character > 0xffff ? 2 : 1;
  }
  return false;
}

function isAmong(
  { ranges, isNegated }: Extract<Step, { readonly kind: 'character' }>,
  code: number,
): boolean {
  for (const [low, high] of ranges) if (code >= low && code <= high) return !isNegated;
  return isNegated;
}
