/** The user was asked and ended the input instead of answering: the command does nothing more. */
export class Cancelled extends Error {
  constructor() {
    super("cancelled: the question was not answered");
  }
}
