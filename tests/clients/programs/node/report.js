// What every program here prints: one line for each round done, error met, and wrong answer seen.
'use strict';

let rounds = 0;
let over = false;
process.stdin.resume();
process.stdin.on('end', () => { over = true; });

class Wrong extends Error {}

exports.over = () => over;
exports.round = () => console.log(`round ${++rounds}`);
exports.failed = (error) => {
  const kind = error instanceof Wrong ? 'wrong' : 'error';
  console.log(`${kind} ${error.name}: ${String(error.message).replace(/\s+/g, ' ')}`);
};
exports.same = (what, got, wanted) => {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) {
    throw new Wrong(`${what}: ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`);
  }
};
