import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import './style/base.css'
import './style/layout.css'
import './style/parts.css'
import './style/pages.css'

const place = document.getElementById('app')
if (place !== null) createRoot(place).render(<App />)

// A page that comes back from the browser's memory has left the stream.
addEventListener('pageshow', (event) => (event as PageTransitionEvent).persisted && location.reload())
