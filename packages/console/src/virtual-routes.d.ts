/** Written by the build from the contract. */
declare module "virtual:routes" {
  const routes: Readonly<Record<string, readonly [method: string, path: string, permission: string]>>;
  export default routes;
}

/** The path of the shared worker's script, which the build has just made. */
declare module "virtual:worker" {
  const path: string;
  export default path;
}
