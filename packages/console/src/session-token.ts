/** The part of the session that only this origin has; the other is a cookie that no script reads. */
const NAME = "sallyport.session";

export function sessionToken(): string | null {
  return localStorage.getItem(NAME);
}

export function keepSessionToken(token: string | null): void {
  if (token === null) localStorage.removeItem(NAME);
  else localStorage.setItem(NAME, token);
}
