import { describe, expect, it } from "vitest";
import { parsePostgresAddress, readDatabaseVariable } from "./postgres-address.ts";

const parse = (text: string) => parsePostgresAddress(text, (path) => `CA of ${path}`);

describe("the address of the database", () => {
  it("has everything that a session needs, and prints no password", () => {
    const address = parse(
      "postgres://app:p%40ss@db.example.org:6543/sallyport?sslmode=verify-full&sslrootcert=/ca.pem",
    )!;
    expect(address).toMatchObject({
      host: "db.example.org",
      port: 6543,
      user: "app",
      database: "sallyport",
      tls: { ca: "CA of /ca.pem" },
    });
    expect(address.password!.reveal()).toBe("p@ss");
    expect(JSON.stringify(address) + String(address.password)).not.toContain("p@ss");
    expect(address.shown).toBe("postgres://db.example.org:6543/sallyport");
  });

  it.each([
    ["postgres://app@127.0.0.1/sallyport", "127.0.0.1"],
    ["postgresql://app@localhost:5433/sallyport", "localhost"],
    ["postgres://app@[::1]/sallyport", "::1"],
    ["postgres://app@localhost/sallyport?host=/run/postgresql", "/run/postgresql"],
  ])("may be without TLS on this machine: %s", (text, host) => {
    expect(parse(text)).toMatchObject({ host, tls: null });
  });

  it.each([
    "postgres://app@db.example.org/sallyport",
    "postgres://app@db.example.org/sallyport?sslmode=require",
    "postgres://app@db.example.org/sallyport?sslmode=disable",
    "postgres://app@10.0.0.1/sallyport?sslmode=verify-ca",
    "postgres://app@db.example.org/sallyport?sslmode=verify-full&sslmode=disable",
    "postgres://app@db.example.org/sallyport?host=/run/postgresql",
    "postgres://app@localhost/sallyport?sslrootcert=/ca.pem",
    "postgres://app@localhost/sallyport?options=-c%20fsync%3Doff",
    "postgres://app@localhost/sallyport#x",
    "postgres://localhost/sallyport",
    "postgres://app@localhost/",
    "postgres://app@localhost/a/b",
    "postgres://app@/sallyport",
    "postgres://app:%zz@localhost/sallyport",
    "mysql://app@localhost/sallyport",
    "",
  ])("is refused where it is none, or would be spoken to in the clear: %s", (text) => {
    expect(parse(text)).toBeUndefined();
  });
});

describe("the variable of the database", () => {
  const read = (given?: string): [unknown, string[]] => {
    const mistakes: string[] = [];
    return [readDatabaseVariable({ SALLYPORT_DATABASE: given }, mistakes), mistakes];
  };

  it("may be absent, and then there is no database", () => {
    expect(read()).toEqual([null, []]);
    expect(read("")).toEqual([null, []]);
  });

  it("quotes nothing of a wrong address: it may hold the password", () => {
    const [address, mistakes] = read("postgres://app:hunter2@db.example.org/sallyport");
    expect(address).toBeNull();
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toMatch(/^SALLYPORT_DATABASE: .*verify-full/);
    expect(mistakes[0]).not.toContain("hunter2");
  });

  it("may name a file, which must be there", () => {
    expect(read("file:/nowhere/at/all")).toEqual([null, ["SALLYPORT_DATABASE: the file cannot be read"]]);
  });
});
