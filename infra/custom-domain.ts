import { DomainName, EndpointType, type RestApi, SecurityPolicy } from 'aws-cdk-lib/aws-apigateway';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { AaaaRecord, ARecord, HostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayDomain } from 'aws-cdk-lib/aws-route53-targets';
import type { Construct } from 'constructs';
import type { CustomDomain } from './settings.ts';

/** Maps the deployment's own domain name to the root of the API, instead of CloudFront. */
export function createCustomDomain(scope: Construct, domain: CustomDomain, rest: RestApi): DomainName {
  const domainName = new DomainName(scope, 'Domain', {
    domainName: domain.name,
    certificate: Certificate.fromCertificateArn(scope, 'Certificate', domain.certificateArn),
    endpointType: EndpointType.REGIONAL,
    securityPolicy: SecurityPolicy.TLS_1_2,
    mapping: rest,
  });
  if (domain.hostedZoneId !== undefined) {
    // The zone's own name is not needed: without a record name the record takes the name given here.
    const zone = HostedZone.fromHostedZoneAttributes(scope, 'Zone', {
      hostedZoneId: domain.hostedZoneId,
      zoneName: domain.name,
    });
    const target = RecordTarget.fromAlias(new ApiGatewayDomain(domainName));
    new ARecord(scope, 'DomainRecordV4', { zone, target });
    new AaaaRecord(scope, 'DomainRecordV6', { zone, target });
  }
  return domainName;
}
