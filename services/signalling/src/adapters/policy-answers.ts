// What the policies in use are and what they would decide, for operators: also of those from files, which nobody else has.
import { questionProblem } from '@sidestream/policy';
import type { CallsServiceServer } from '@sidestream/proto/calls/v1';
import { SidestreamError, type UnaryHandlers } from '@sidestream/service';
import type { PolicyTable } from '../domain/policy-table.js';

export interface PolicyAnswersOptions {
  readonly policies: Pick<PolicyTable, 'current' | 'inUse' | 'explain'>;
  readonly handlers: UnaryHandlers;
  readonly instance: string;
}

/** The part of the service that answers for policies. */
export function policyAnswers({
  policies,
  handlers,
  instance,
}: PolicyAnswersOptions): Pick<CallsServiceServer, 'listPolicies' | 'explainDecision'> {
  return {
    listPolicies: handlers.handle('ListPolicies', async ({ tenant: asked }) => ({
      instance,
      policies: policies.inUse
        .filter(({ tenant }) => asked === '' || asked === tenant)
        .map(({ tenant, snapshot, since }) => ({
          tenant,
          revision: snapshot?.revision ?? '',
          users: snapshot?.size ?? 0,
          since,
        })),
    })),
    explainDecision: handlers.handle('ExplainDecision', async ({ tenant, party, other }) => {
      const problem = questionProblem({ party, other });
      if (problem !== undefined) throw new SidestreamError('bad-request', problem);
      const explanation = policies.explain(tenant, { party, other }, new Date());
      if (explanation === undefined) throw new SidestreamError('not-found', `there is no tenant '${tenant}'`);
      const { decision, matched, text } = explanation;
      const { record, reason, seller, policyRevision: revision, recorders } = decision;
      const { id = '', name = '', upn = '' } = seller ?? {};
      return {
        instance,
        explained: {
          ...{ record, reason, matched, revision, recorders: [...recorders], explanation: text },
          seller: seller && { id, name, upn, numbers: [], addresses: [] },
          checkedAt: policies.current.get(tenant)?.freshness?.checkedAt,
        },
      };
    }),
  };
}
