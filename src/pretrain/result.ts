/** What a pretraining ends with. */
export async function writeResult(run: string, ..._: unknown[]): Promise<string> {
  return run;
}
