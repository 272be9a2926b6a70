using Lekhika.Tests.Support;
using Xunit;

[assembly: AssemblyFixture(typeof(PostgresCluster))]
