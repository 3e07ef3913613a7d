/** The stage's page: places calls, shows both voices of each recording as a waveform, and plays them. */

export {};

interface Voice {
  readonly label: string;
  readonly who: string;
  readonly durationMs: number;
  /** Loudness from 0 to 1, evenly over the time. */
  readonly peaks: readonly number[];
}

interface Recording {
  readonly callId: string;
  readonly startedAt: string;
  readonly voices: readonly Voice[];
}

interface Stage {
  readonly links: readonly { readonly title: string; readonly url: string }[];
  readonly calls: readonly { readonly id: string; readonly title: string }[];
  readonly progress: string;
  readonly busy: boolean;
  readonly recordings: readonly Recording[];
}

const pollMs = 1_000;
const shown = new Set<string>();

await refresh();
setInterval(() => void refresh(), pollMs);

async function refresh(): Promise<void> {
  try {
    const response = await fetch('stage.json', { signal: AbortSignal.timeout(10_000) });
    const stage: Stage = await response.json();
    if (!find('buttons').hasChildNodes()) showOnce(stage);
    find('progress').textContent = stage.progress;
    for (const button of document.querySelectorAll('button')) button.ariaDisabled = String(stage.busy);
    for (const recording of stage.recordings) showRecording(recording);
  } catch {
    find('progress').textContent = 'The stage is not there any more.';
  }
}

function showOnce({ links, calls }: Stage): void {
  for (const { title, url } of links) {
    const link = element('a', title);
    link.href = url;
    const item = element('li');
    item.append(link);
    find('links').append(item);
  }
  for (const { id, title } of calls) {
    const button = element('button', title);
    button.type = 'button';
    button.dataset['call'] = id;
    button.addEventListener('click', () => {
      if (button.ariaDisabled !== 'true') void place(id);
    });
    find('buttons').append(button);
  }
}

async function place(id: string): Promise<void> {
  const answer = await fetch(`calls/${id}`, { method: 'POST', signal: AbortSignal.timeout(10_000) });
  if (!answer.ok) find('progress').textContent = await answer.text();
  await refresh();
}

function showRecording({ callId, startedAt, voices }: Recording): void {
  if (shown.has(callId)) return;
  shown.add(callId);
  const article = element('article');
  article.className = 'card';
  article.dataset['call'] = callId;
  article.append(element('h3', `Call at ${new Date(startedAt).toLocaleTimeString()}, Call-ID ${callId}`));
  for (const voice of voices) article.append(voiceFigure(callId, voice));
  find('recordings').prepend(article);
}

function voiceFigure(callId: string, { label, who, durationMs, peaks }: Voice): HTMLElement {
  const title = `${who} (${label}), ${(durationMs / 1_000).toFixed(1)} s`;
  const figure = element('figure');
  const audio = element('audio');
  audio.controls = true;
  audio.preload = 'metadata';
  audio.src = `voices/${encodeURIComponent(callId)}/${encodeURIComponent(label)}.wav`;
  audio.ariaLabel = title;
  figure.append(element('figcaption', title), waveform(peaks, title), audio);
  return figure;
}

/** One bar for each peak, up and down from the middle. */
function waveform(peaks: readonly number[], title: string): SVGElement {
  const svg = (name: string, attributes: Record<string, string | number>) => {
    const node = document.createElementNS('http://www.w3.org/2000/svg', name) as SVGElement;
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
    return node;
  };
  const height = 64;
  const bars = peaks.map((peak, index) => {
    const half = Math.max(0.5, (peak * height) / 2);
    return `M${index + 0.5} ${(height / 2 - half).toFixed(1)}V${(height / 2 + half).toFixed(1)}`;
  });
  const picture = svg('svg', {
    viewBox: `0 0 ${peaks.length} ${height}`,
    preserveAspectRatio: 'none',
    class: 'waveform',
    role: 'img',
    'aria-label': `Waveform of ${title}`,
  });
  picture.append(svg('path', { d: bars.join('') }));
  return picture;
}

function element<K extends keyof HTMLElementTagNameMap>(name: K, text = ''): HTMLElementTagNameMap[K] {
  const node = document.createElement(name);
  node.textContent = text;
  return node;
}

function find(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no ${id}`);
  return found;
}
