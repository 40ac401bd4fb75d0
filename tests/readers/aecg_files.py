"""Documents of annotated ECG, put together from their parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def lead(
    code: str, digits: Sequence[Any], scale: str = "5", unit: str = "uV", origin: str = "0"
) -> str:
    return f"""
      <component><sequence><code code="{code}" codeSystem="2.16.840.1.113883.6.24"/>
        <value xsi:type="SLIST_PQ">
          <origin value="{origin}" unit="{unit}"/><scale value="{scale}" unit="{unit}"/>
          <digits>{" ".join(str(digit) for digit in digits)}</digits>
        </value></sequence></component>"""


def time(head: str = 'value="20200504101112.000"', increment: str = 'value="0.002" unit="s"'):
    return f"""
      <component><sequence><code code="TIME_ABSOLUTE"/>
        <value xsi:type="GLIST_TS"><head {head}/><increment {increment}/></value>
      </sequence></component>"""


def strip(*sequences: str) -> str:
    return f"<component><sequenceSet>{''.join(sequences)}</sequenceSet></component>"


def series(*strips: str, code: str = "RHYTHM", low: str = "20200504101112.000") -> str:
    return f"""
  <component><series>
    <code code="{code}" codeSystem="2.16.840.1.113883.5.4"/>
    <effectiveTime><low value="{low}"/><high value="20200504101122.000"/></effectiveTime>
    <author><seriesAuthor><manufacturedSeriesDevice>
      <manufacturerModelName>Recorder   9</manufacturerModelName>
      <softwareName>2.1</softwareName>
    </manufacturedSeriesDevice></seriesAuthor></author>
    {"".join(strips)}
    <derivation><derivedSeries><code code="REPRESENTATIVE_BEAT"/>
      {strip(time(), lead("MDC_ECG_LEAD_II", [9, 9, 9]))}
    </derivedSeries></derivation>
  </series></component>"""


def document(*all_series: str) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<AnnotatedECG xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <id root="61d1a24f-b47e-41aa-ae95-f8ac302f4eeb"/>
  <componentOf><timepointEvent><componentOf><subjectAssignment><subject><trialSubject>
    <subjectDemographicPerson><name>Jane Doe</name><birthTime value="19520205"/>
    </subjectDemographicPerson></trialSubject></subject></subjectAssignment></componentOf>
  </timepointEvent></componentOf>
  {"".join(all_series)}
</AnnotatedECG>
"""
