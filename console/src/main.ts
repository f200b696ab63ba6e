// Start. The secret of a one-time link is taken out of the address before anything else happens.

import { mount } from 'svelte';
import App from './App.svelte';
import './tokens.css';
import './base.css';
import { theme } from './state/kernel/theme.svelte';

const code = new URLSearchParams(location.hash.slice(1)).get('code');
if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search);

theme.apply();

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has an element called app');
mount(App, { target, props: { code: code === '' ? null : code } });
