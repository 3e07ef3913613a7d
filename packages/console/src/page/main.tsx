/** The page's wiring. */
import { render } from 'preact';
import { Application } from './application.js';
import { Page } from './view/page.js';

const application = new Application(window);
const root = document.getElementById('page');
if (root !== null) render(<Page application={application} />, root);
void application.start();
