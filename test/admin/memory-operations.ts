/** What each operation does to the state of a gateway in memory, as the store would do it. */
import type { Operation } from "../program-under-test.ts";
import type { MemoryGateway } from "./memory-ports.ts";
import { applyReview } from "./memory-reviews.ts";

type Memory = Pick<
  MemoryGateway,
  "findings" | "localLogins" | "reviewLines" | "reviewTable" | "rightsizings" | "state" | "stored" | "tickets"
>;

export function applyOperation(memory: Memory, operation: Operation): void {
  const { state, stored } = memory;
  switch (operation.op) {
    case "key.insert":
      stored.set(`${operation.key.environment}/${operation.key.id}`, operation.key);
      return;
    case "key.state": {
      const name = `${operation.environment}/${operation.id}`;
      stored.set(name, { ...stored.get(name)!, state: operation.state, reason: operation.reason });
      return;
    }
    case "key.admin": {
      const name = `${operation.environment}/${operation.id}`;
      stored.set(name, { ...stored.get(name)!, admin: operation.admin });
      return;
    }
    case "key.life": {
      const name = `${operation.environment}/${operation.id}`;
      stored.set(name, { ...stored.get(name)!, ...operation.life });
      return;
    }
    case "key.factors": {
      const name = `${operation.environment}/${operation.id}`;
      stored.set(name, { ...stored.get(name)!, ...operation.factors });
      return;
    }
    case "finding.put":
      memory.findings.set(operation.finding.id, operation.finding);
      return;
    case "rightsizing.put":
      memory.rightsizings.set(
        `${operation.rightsizing.environment}/${operation.rightsizing.key}`,
        operation.rightsizing,
      );
      return;
    case "key.narrow": {
      const name = `${operation.environment}/${operation.id}`;
      stored.set(name, { ...stored.get(name)!, ceiling: operation.ceiling });
      return;
    }
    case "review.put":
    case "review.freeze":
    case "review.line":
      applyReview(operation, memory.reviewTable, memory.reviewLines);
      return;
    case "finding.remove":
      memory.findings.delete(operation.id);
      return;
    case "localLogin.put":
      memory.localLogins.set(operation.login.principal, operation.login);
      return;
    case "localLogin.remove":
      memory.localLogins.delete(operation.principal);
      return;
    case "tokenKey.insert":
    case "tokenKey.remove":
    case "token.revoke":
      return;
    case "ticket.put":
      memory.tickets.set(`${operation.ticket.environment}/${operation.ticket.id}`, operation.ticket);
      return;
    case "environment.put": {
      const { environment } = operation;
      memory.state = {
        ...state,
        environments: [...state.environments.filter(({ name }) => name !== environment.name), environment],
      };
      return;
    }
    case "environment.remove":
      memory.state = { ...state, environments: state.environments.filter(({ name }) => name !== operation.name) };
      return;
    case "role.put":
      memory.state = {
        ...state,
        roles: [...state.roles.filter(({ name }) => name !== operation.role.name), operation.role],
      };
      return;
    case "role.remove":
      memory.state = { ...state, roles: state.roles.filter(({ name }) => name !== operation.name) };
      return;
    case "principal.put": {
      const { principal } = operation;
      memory.state = { ...state, principals: [...state.principals.filter(({ id }) => id !== principal.id), principal] };
      return;
    }
    case "group.put": {
      const { group } = operation;
      memory.state = { ...state, groups: [...(state.groups ?? []).filter(({ id }) => id !== group.id), group] };
      return;
    }
    case "group.remove":
      memory.state = { ...state, groups: (state.groups ?? []).filter(({ id }) => id !== operation.id) };
      return;
    case "assignment.put":
      memory.state = { ...state, assignments: [...state.assignments, operation.assignment] };
      return;
    case "assignment.remove":
      memory.state = { ...state, assignments: state.assignments.filter(({ id }) => id !== operation.id) };
  }
}
