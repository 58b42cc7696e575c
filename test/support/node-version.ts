/** What is wrong with running on this version of Node.js, and what to do; undefined when it will do. */
export function nodeProblem(version: string): string | undefined {
  if (Number(version.split(".")[0]) >= 24) return undefined;
  return (
    `This is Node.js ${version}, but 24 or newer is needed. npm scripts take it from the package "node", ` +
    "whose install script fetches the program. Where install scripts are disabled, run " +
    '"npm rebuild node --ignore-scripts=false" once; then start everything through npm, such as "npm test".'
  );
}
