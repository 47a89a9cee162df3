/** Written by the build from the contract. */
declare module "virtual:routes" {
  const routes: Readonly<Record<string, readonly [method: string, path: string, permission: string]>>;
  export default routes;
}

/** The paths of the workers' scripts, which the build has just made. */
declare module "virtual:events-worker" {
  const path: string;
  export default path;
}
declare module "virtual:proof-worker" {
  const path: string;
  export default path;
}
