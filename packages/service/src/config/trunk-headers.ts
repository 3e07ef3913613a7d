// Names of header fields, and which of them may never be configured to pass.
import { z } from 'zod';

export const headerName = z.string().regex(/^[A-Za-z0-9.!%*_+`'~-]{1,64}$/, 'must be the name of a header field');

/** What belongs to one hop or one dialog, what we write ourselves, and what is only for the inside. In lower case. */
const ownHeaders = new Set(
  `accept accept-encoding allow allow-events authentication-info authorization call-id contact content-disposition
    content-encoding content-language content-length content-type cseq diversion error-info event expires flow-timer from
    history-info identity-info join max-breadth max-forwards mime-version min-expires min-se p-access-network-info
    p-asserted-identity p-charging-function-addresses p-charging-vector p-preferred-identity path privacy proxy-authenticate
    proxy-authorization proxy-require rack record-route refer-sub refer-to referred-by remote-party-id replaces require
    retry-after route rseq security-client security-server security-verify server service-route session-expires sip-etag
    sip-if-match subscription-state supported target-dialog timestamp to traceparent tracestate unsupported user-agent via
    warning www-authenticate x-accountid`.split(/\s+/),
);

export const passHeader = headerName
  .refine((text) => text.length > 1, 'must be the long name of a header field')
  .refine((text) => !ownHeaders.has(text.toLowerCase()) && !/^x-sidestream-/i.test(text), {
    message: 'never passes: it belongs to one hop or dialog, to the inside, or Sidestream writes it itself',
  });
