import { expect, it } from "vitest";
import { Secret } from "../../kernel/secret.ts";
import { encodePath, signV4 } from "./sigv4.ts";

const credential = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: new Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
  region: "us-east-1",
  service: "s3",
};

it("signs as AWS' own example of a PUT does (Signature Calculations for the Authorization Header, S3)", () => {
  const url = new URL(`https://examplebucket.s3.amazonaws.com${encodePath("/test$file.text")}`);
  const headers = { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" };
  const request = { method: "PUT", url, headers, body: "Welcome to Amazon S3." };
  const signed = signV4(request, credential, Date.UTC(2013, 4, 24));
  expect(signed).toMatchObject({
    "x-amz-date": "20130524T000000Z",
    "x-amz-content-sha256": "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
    authorization:
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class, Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  });
});

it("signs as AWS' own example of a listing does, with a query", () => {
  const url = new URL("https://examplebucket.s3.amazonaws.com/?prefix=J&max-keys=2");
  const signed = signV4({ method: "GET", url, headers: {}, body: "" }, credential, Date.UTC(2013, 4, 24));
  expect(signed["authorization"]).toContain("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
});

it("another body, path or key is another signature", () => {
  const url = new URL("https://s3.example/bucket/a");
  const sign = (more: object, key = credential): string =>
    signV4({ method: "PUT", url, headers: {}, body: "x", ...more }, key, 0)["authorization"]!.slice(-64);
  const other = { ...credential, secretAccessKey: new Secret("another secret of somebody") };
  const all = [sign({}), sign({ body: "y" }), sign({ url: new URL("https://s3.example/bucket/b") }), sign({}, other)];
  expect(new Set(all).size).toBe(4);
  expect(encodePath("/a b/ü(1)*")).toBe("/a%20b/%C3%BC%281%29%2A");
});
