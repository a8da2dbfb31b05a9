import type { ApiKeys } from './api-key.ts';
import { startCarrier } from './carrier.ts';
import { startCompany } from './company.ts';
import { startFininfo } from './fininfo.ts';
import type { LoopbackServer } from './loopback.ts';
import { startPolygon } from './polygon.ts';
import { startWeather } from './weather.ts';

/** `origin` is the gateway's public origin. Ports not given are the ones that `config/` names; 0 takes a free one. */
export type DemoOptions = {
  readonly origin: string;
  readonly ports?: Readonly<Record<'fininfo' | 'weather' | 'polygon' | 'company' | 'carrier', number>>;
  /** The secret of the client `fininfo-server`. */
  readonly fininfoClientSecret: string;
  readonly polygonKeys: ApiKeys;
  readonly weatherKeys: ApiKeys;
};

/** `urls` are the values of the variables by which `config/` refers to the demo servers. */
export type Demo = {
  readonly urls: {
    readonly FININFO_URL: string;
    readonly WEATHER_URL: string;
    readonly POLYGON_URL: string;
    readonly COMPANY_URL: string;
    readonly CARRIER_URL: string;
  };
  close(): Promise<void>;
};

const DEFAULT_PORTS = { fininfo: 8790, weather: 8791, polygon: 8792, company: 8793, carrier: 8794 };

/** Starts the demo's servers, the company's login and the carrier, or none: where one cannot start, the others are closed and the error is thrown. */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  const ports = options.ports ?? DEFAULT_PORTS;
  const started: LoopbackServer[] = [];
  const close = async () => {
    await Promise.all(started.splice(0).map((server) => server.close()));
  };
  try {
    const polygon = await startPolygon({ port: ports.polygon, keys: options.polygonKeys });
    started.push(polygon);
    const weather = await startWeather({ port: ports.weather, keys: options.weatherKeys });
    started.push(weather);
    const fininfo = await startFininfo({
      origin: options.origin,
      port: ports.fininfo,
      clientId: 'fininfo-server',
      clientSecret: options.fininfoClientSecret,
    });
    started.push(fininfo);
    const company = await startCompany({ port: ports.company, gateway: options.origin });
    started.push(company);
    const carrier = await startCarrier({ port: ports.carrier, gateway: options.origin });
    started.push(carrier);
    const urls = {
      FININFO_URL: fininfo.url,
      WEATHER_URL: weather.url,
      POLYGON_URL: `${polygon.origin}/`,
      COMPANY_URL: company.origin,
      CARRIER_URL: carrier.origin,
    };
    return { urls, close };
  } catch (error) {
    await close();
    throw error;
  }
}
