/** Leak reports that are not believed, and keys in requests and responses. */
export const leakProblems = {
  leak_report_unsigned: {
    status: 401,
    title: "the leak report is not signed by a configured sender",
    remedy: "sign the raw body, and add the sender to `leaks` in the file that the setting `identity` names",
  },
  leak_report_replayed: {
    status: 409,
    title: "a leak report with this id was received before",
    remedy: "nothing: the first one was taken. Give each new report a new id",
  },
  key_in_request: {
    status: 400,
    title: "the request contains a Sallyport key",
    remedy: "remove the key from the request, and rotate it: `sallyport keys rotate ID`",
  },
  key_in_response: {
    status: 502,
    title: "the model's response contains a Sallyport key",
    remedy: "see the audit log for the key's id, and find out how the model got it",
  },
} as const;
