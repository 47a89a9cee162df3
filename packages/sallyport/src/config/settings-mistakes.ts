/** Settings that cannot be used, told all at once: the program was not started as it must be, so it ends as for wrong usage. */
import { Problem } from "@sallyport/protocol";

export class SettingsMistakes extends Problem {
  constructor(mistakes: readonly string[]) {
    super("input_invalid", "the settings have mistakes", mistakes);
  }
}
