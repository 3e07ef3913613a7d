import { Fragment, type JSX } from 'preact';

/** A SIP address, which is long: where there is no room for all of it, it goes on in the next line at one of its parts. */
export function Address({ text }: { readonly text: string }): JSX.Element {
  return (
    <span class="address">
      {text.split(/(?=[@;])/).map((part, index) => (
        <Fragment key={`${index}${part}`}>
          {index > 0 && <wbr />}
          {part}
        </Fragment>
      ))}
    </span>
  );
}

/** Of an address its host, for where that says enough; a name that is no address as it is. */
export function Host({ of }: { readonly of: string }): JSX.Element {
  const host = /^sips?:(?:[^@]*@)?([^;?]+)/.exec(of)?.[1] ?? of;
  return (
    <span class="host" title={of}>
      {host}
    </span>
  );
}
