/** Written by the build from the contract. */
declare module "virtual:routes" {
  const routes: Readonly<Record<string, readonly [method: string, path: string, permission: string]>>;
  export default routes;
}
